"""The networks that can be trained, by name. To add one: a file that builds it, an entry here."""

from collections.abc import Mapping
from types import MappingProxyType

from saccade_models.networks.alexnet import build_alexnet
from saccade_models.networks.cnn import OWN_OPTIONS, build_cnn
from saccade_models.networks.densenet import build_densenet40, build_densenet121
from saccade_models.networks.inception import build_inception
from saccade_models.networks.lenet import build_lenet5
from saccade_models.networks.mobilenet import build_mobilenetv2
from saccade_models.networks.network import Network
from saccade_models.networks.resnet import (
    build_resnet20,
    build_resnet50,
    build_se_resnet20,
    build_se_resnet50,
)
from saccade_models.networks.resnet11 import build_resnet11
from saccade_models.networks.vgg import build_vgg16

_ENTRIES = (
    Network(
        name="cnn",
        summary="two 3 x 3 convolutions (32, 64), 2 x 2 pooling, dense 128",
        source="Saccade's own default",
        published_input=(28, 28, 1),
        published_classes=10,
        parameters=1_199_882,
        smallest_side=6,
        own_options=OWN_OPTIONS,
        apply=build_cnn,
    ),
    Network(
        name="lenet5",
        summary="LeNet-5: three 5 x 5 convolutions, mean pooling, tanh",
        source="LeCun et al. 1998",
        published_input=(32, 32, 1),
        published_classes=10,
        parameters=61_706,
        smallest_side=28,
        apply=build_lenet5,
    ),
    Network(
        name="alexnet",
        summary="AlexNet: five convolutions in two groups, dense 4096 twice",
        source="Krizhevsky et al. 2012",
        published_input=(227, 227, 3),
        published_classes=1000,
        parameters=60_965_224,
        smallest_side=67,
        apply=build_alexnet,
    ),
    Network(
        name="vgg16",
        summary="VGG-16: thirteen 3 x 3 convolutions, dense 4096 twice",
        source="Simonyan & Zisserman 2014",
        published_input=(224, 224, 3),
        published_classes=1000,
        parameters=138_357_544,
        smallest_side=32,
        apply=build_vgg16,
    ),
    Network(
        name="inception",
        summary="GoogLeNet (the first Inception) with batch normalisation",
        source="Szegedy et al. 2015; Ioffe & Szegedy 2015",
        published_input=(224, 224, 3),
        published_classes=1000,
        parameters=7_020_392,
        smallest_side=17,
        apply=build_inception,
    ),
    Network(
        name="resnet50",
        summary="residual network of 50 layers, bottleneck blocks",
        source="He et al. 2016",
        published_input=(224, 224, 3),
        published_classes=1000,
        parameters=25_610_152,
        smallest_side=17,
        apply=build_resnet50,
    ),
    Network(
        name="resnet20",
        summary="residual network of 20 layers for small images",
        source="He et al. 2016",
        published_input=(32, 32, 3),
        published_classes=10,
        parameters=271_098,
        smallest_side=8,
        apply=build_resnet20,
    ),
    Network(
        name="resnet11",
        summary="residual network of eleven layers that learns small images in minutes",
        source="Saccade's own, after Page 2018",
        published_input=(28, 28, 1),
        published_classes=10,
        parameters=1_943_712,
        smallest_side=8,
        apply=build_resnet11,
    ),
    Network(
        name="densenet121",
        summary="densely connected network of 121 layers, growth rate 32",
        source="Huang et al. 2017",
        published_input=(224, 224, 3),
        published_classes=1000,
        parameters=8_062_504,
        smallest_side=17,
        apply=build_densenet121,
    ),
    Network(
        name="densenet40",
        summary="densely connected network of 40 layers for small images, growth rate 12",
        source="Huang et al. 2017",
        published_input=(32, 32, 3),
        published_classes=10,
        parameters=1_037_818,
        smallest_side=8,
        apply=build_densenet40,
    ),
    Network(
        name="se-resnet50",
        summary="resnet50 with squeeze-and-excitation",
        source="Hu et al. 2018",
        published_input=(224, 224, 3),
        published_classes=1000,
        parameters=28_141_144,
        smallest_side=17,
        apply=build_se_resnet50,
    ),
    Network(
        name="se-resnet20",
        summary="resnet20 with squeeze-and-excitation",
        source="Hu et al. 2018, on He et al. 2016",
        published_input=(32, 32, 3),
        published_classes=10,
        parameters=273_471,
        smallest_side=8,
        apply=build_se_resnet20,
    ),
    Network(
        name="mobilenetv2",
        summary="MobileNetV2: seventeen inverted residual blocks, width 1.0",
        source="Sandler et al. 2018",
        published_input=(224, 224, 3),
        published_classes=1000,
        parameters=3_538_984,
        smallest_side=17,
        apply=build_mobilenetv2,
    ),
)

NETWORKS: Mapping[str, Network] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
