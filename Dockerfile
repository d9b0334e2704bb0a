# An image that holds one static binary: no shell, no libc, no CA certificates, for it connects to nothing.
# docker build -t seldon-tracing:0.1.0 .

FROM rust:1.95 AS build
WORKDIR /src
# Only what the build reads: a change of the docs builds nothing again, and no key from certs/ gets into a layer.
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY benches benches
# For the machine that builds it, of whatever kind.
RUN RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --release --target "$(rustc -vV | sed -n 's/^host: //p')"
RUN cp target/*/release/seldon-tracing /

FROM scratch
COPY --from=build /seldon-tracing /seldon-tracing
USER 65532:65532
ENTRYPOINT ["/seldon-tracing"]
