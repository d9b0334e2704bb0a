# An image that holds one static binary: no shell, no libc, no CA certificates, for it connects to nothing.
# docker build -t seldon-tracing:0.1.0 .

FROM rust:1.95 AS build
WORKDIR /src
# Only what the build reads: a change of the docs builds nothing again, and no key from certs/ gets into a layer.
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY benches benches
COPY third-party third-party
COPY manifests/config.schema.json manifests/
COPY release/binary release/tool release/
# For the machine that builds it, of whatever kind.
RUN cp "$(release/binary)" /

FROM scratch
LABEL org.opencontainers.image.title="seldon-tracing"
LABEL org.opencontainers.image.description="Jaeger tracing for Seldon Core v1 by one annotation"
LABEL org.opencontainers.image.version="0.1.0"
LABEL org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /seldon-tracing /seldon-tracing
USER 65532:65532
ENTRYPOINT ["/seldon-tracing"]
