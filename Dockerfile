# An image that runs `analyzer`, without a compiler in it and without root's rights. README.md, "With Docker", has its commands.
FROM python:3.13-slim-bookworm AS build
# The compiler is only in this stage. Debian keeps one version of each package, so pinning it would break the build at each update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /source
COPY . .
RUN python -m venv /opt/analyzer \
    && /opt/analyzer/bin/pip install --no-cache-dir . \
    && /opt/analyzer/bin/analyzer --version | grep -F "(compiled, "

FROM python:3.13-slim-bookworm
COPY --from=build /opt/analyzer /opt/analyzer
ENV PATH="/opt/analyzer/bin:$PATH"
RUN useradd --uid 1000 --create-home analyzer
USER 1000
WORKDIR /captures
ENTRYPOINT ["analyzer"]
CMD ["--help"]
