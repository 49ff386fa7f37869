"""Servers and files of hidden states, made of a language model that is here."""

import json
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2 as httpx
import torch
from safetensors.torch import save_file
from torch import Tensor

from headwise.backbones import CausalBackbone

KINDS = ("vllm", "sglang", "llama.cpp")


def last_states(backbone: CausalBackbone, inputs: Sequence[Sequence[int]]) -> list[Tensor]:
    with torch.inference_mode():
        return [backbone.hidden_states(torch.tensor([list(ids)]))[0] for ids in inputs]


class MadeServer:
    """Answers as a kind of server does, with the states of a language model.

    Attributes:
        asked: Path and question of every request.
        change: Done to the states of each text before they are sent.
    """

    def __init__(self, backbone: CausalBackbone, kind: str, *, longest: int = 512) -> None:
        self.backbone, self.kind, self.longest = backbone, kind, longest
        self.asked: list[tuple[str, Any]] = []
        self.change: Callable[[Tensor], Tensor] = lambda states: states

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        question = json.loads(body) if body else None
        self.asked.append((path, question))
        if method == "GET":
            found = self._told().get(path)
            return (404, b"{}") if found is None else (200, json.dumps(found).encode())
        ids, write = {
            ("vllm", "/pooling"): ("input", self._vllm),
            ("sglang", "/generate"): ("input_ids", self._sglang),
            ("llama.cpp", "/embeddings"): ("content", self._llama_cpp),
        }[self.kind, path]
        states = [self.change(one) for one in last_states(self.backbone, question[ids])]
        return 200, write(question, states)

    def _told(self) -> dict[str, Any]:
        models = {"data": [{"id": "served", "max_model_len": self.longest}]}
        return {"/v1/models": models} | {
            "vllm": {"/version": {"version": "0.32.0"}},
            "sglang": {"/get_model_info": {"model_path": "served"}},
            "llama.cpp": {"/props": {"default_generation_settings": {"n_ctx": self.longest}}},
        }[self.kind]

    def _vllm(self, question: Any, states: list[Tensor]) -> bytes:
        if question["use_activation"] is not False:
            states = [torch.nn.functional.normalize(one, dim=-1) for one in states]
        return b"".join(one.float().numpy().tobytes() for one in states)

    def _sglang(self, question: Any, states: list[Tensor]) -> bytes:
        assert question["return_hidden_states"] is True
        written = [0.0] * self.backbone.hidden_size
        return json.dumps(
            [{"text": "a", "meta_info": {"hidden_states": [s.tolist(), written]}} for s in states]
        ).encode()

    def _llama_cpp(self, question: Any, states: list[Tensor]) -> bytes:
        assert question["embd_normalize"] == -1
        found = [{"index": i, "embedding": one.tolist()} for i, one in enumerate(states)]
        return json.dumps(found[::-1]).encode()  # in whatever order

    @property
    def transport(self) -> httpx.MockTransport:
        """What carries requests to it, without a network."""

        def handle(request: httpx.Request) -> httpx.Response:
            code, body = self.answer(request.method, request.url.path, request.content)
            return httpx.Response(code, content=body)

        return httpx.MockTransport(handle)

    @contextmanager
    def listening(self) -> Any:
        """Its address, while it listens on this machine."""
        made = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                code, answer = made.answer(self.command, self.path, body)
                self.send_response(code)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815 - likewise

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def write_states(
    folder: Path, backbone: CausalBackbone, texts: Sequence[Sequence[int]], layers: Sequence[int]
) -> None:
    """Files as vLLM's connector writes them: after each layer, and before the final norm."""
    folder.mkdir(exist_ok=True)
    for number, ids in enumerate(texts):
        entered: list[Tensor] = []
        norm = backbone.model.model.norm
        handle = norm.register_forward_pre_hook(lambda _, given, to=entered: to.append(given[0]))
        with torch.inference_mode():
            found = backbone.model.model(torch.tensor([list(ids)]), output_hidden_states=True)
        handle.remove()
        every = [*found.hidden_states[:-1], entered[0]]
        states = torch.stack([every[layer][0] for layer in layers], dim=1)
        path = folder / f"req-{number}.safetensors"
        save_file({"hidden_states": states, "token_ids": torch.tensor(ids)}, path)
        path.with_name(f"{path.name}.lock").touch()
