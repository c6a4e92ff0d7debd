# Base images are named by tag. Who needs builds that never change pins them by digest:
# docker buildx imagetools inspect golang:1.26
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=unknown REVISION=unknown BRANCH=unknown BUILDDATE=unknown
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make build \
        VERSION="$VERSION" REVISION="$REVISION" BRANCH="$BRANCH" BUILDDATE="$BUILDDATE" \
    && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=unknown REVISION=unknown
LABEL org.opencontainers.image.title="b2b_exporter" \
      org.opencontainers.image.description="Prometheus exporter for the KPIs of B2B e-commerce" \
      org.opencontainers.image.source="https://github.com/b2bexporter/b2b_exporter" \
      org.opencontainers.image.documentation="https://github.com/b2bexporter/b2b_exporter/blob/main/README.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

COPY --from=build /src/b2b_exporter /bin/b2b_exporter
COPY --from=build /src/LICENSE /LICENSE
# A new volume gets the owner of the folder that it is mounted on.
COPY --from=build --chown=65532:65532 /data /data

# Beside /b2b.yml the default path of the ledger, data/b2b.db, is on the volume.
WORKDIR /
VOLUME /data
EXPOSE 9846
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/bin/b2b_exporter", "health"]
ENTRYPOINT ["/bin/b2b_exporter"]
CMD ["--config.file=/b2b.yml"]
