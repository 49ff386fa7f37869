"""vLLM's plugin for headwise: pairs in, scored rows out; no scoring logic.

vLLM imports it in its server's process alone.
"""


def processor() -> str:
    """Where vLLM finds its IO processor ``headwise``."""
    return "headwise_vllm.processor.HeadwiseProcessor"
