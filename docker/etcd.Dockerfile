# etcd from Debian's package, for the compose file: docker build -f docker/etcd.Dockerfile -t sage-rpc-etcd docker
ARG BASE_IMAGE=debian:bookworm-slim
FROM ${BASE_IMAGE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends etcd-server etcd-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 sage && useradd --uid 10001 --gid sage --no-create-home sage \
    && install -d -o sage -g sage -m 0700 /var/lib/etcd-data /certificates
USER sage
VOLUME /var/lib/etcd-data
ENTRYPOINT ["etcd", "--data-dir", "/var/lib/etcd-data"]
