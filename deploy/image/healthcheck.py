"""Exits 0 when the server in this container is ready, else 1 with the reason.

    python healthcheck.py [PATH]

Asks /readyz, or PATH, of the HTTP side port on the loopback interface. Standard library only, so
the image needs no curl; `http.client` and not `urllib`, which would go through a proxy that the
environment names.
"""

import http.client
import os
import sys

DEFAULT_PORT = 8501
# Below the timeout of the image's HEALTHCHECK, so that the reason is printed.
TIMEOUT_S = 2.0


def check(port: int, path: str) -> str | None:
    """What is wrong with the answer to GET `path`; None if it is 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read(200).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer on port {port}: {error}"
    finally:
        connection.close()
    return None if response.status == http.HTTPStatus.OK else f"{response.status} {text}"


if __name__ == "__main__":
    sys.exit(
        check(
            int(os.environ.get("SACCADE_HTTP_PORT", DEFAULT_PORT)),
            sys.argv[1] if len(sys.argv) > 1 else "/readyz",
        )
    )
