"""The pictures of models/README.md, made from a trained `cnn`.

    python -m saccade_models.figures models/repository/digits/1 --output models/figures

`passage` follows an image through the network and its gradient back; `blocks` and `learning` draw.
"""
