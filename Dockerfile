# Two images: `api` serves without torch, `trainer` trains and answers with it.
#   docker build --target api -t luthier-api .
#   docker build --target trainer -t luthier-trainer .
#   docker build --target trainer --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu ...

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN pip install '.[postgres,otel]'

FROM build AS build-trainer
ARG TORCH=torch==2.13.0
ARG TORCH_INDEX=https://pypi.org/simple
RUN pip install --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple "$TORCH"
RUN pip install '.[postgres,local]'

FROM python:3.11-slim AS runtime
RUN useradd --system --uid 10001 --create-home luthier \
    && install --directory --owner luthier --group luthier /data
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 LUTHIER_DATA_DIR=/data LUTHIER_LOG_FORMAT=json
USER luthier
VOLUME /data
WORKDIR /home/luthier

FROM runtime AS trainer
COPY --from=build-trainer /opt/venv /opt/venv
CMD ["luthier", "worker"]

FROM runtime AS api
COPY --from=build /opt/venv /opt/venv
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["luthier", "serve", "--no-reconciler", "--host", "0.0.0.0", "--port", "8000"]
