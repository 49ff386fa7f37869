"""Addresses of servers, told from names of models; needs no PyTorch."""


def is_address(name: str) -> bool:
    """Whether a name is the address of a server and no model of ours.

    Args:
        name: As users give it.
    """
    return name.startswith(("http://", "https://"))
