# The orchestrator. It needs the engine's socket, and nothing else of the machine:
#
#   docker build -t mcp-orchestration .
#   docker network create mcp-network
#   docker run -d --name mcp-orchestration --init --network mcp-network \
#     -v /var/run/docker.sock:/var/run/docker.sock --group-add "$(stat -c %g /var/run/docker.sock)" \
#     -v /run/lock:/run/lock -v mcp-orchestration:/var/lib/mcp-orchestration mcp-orchestration run --manifest https://github.com/you/manifest
#
# examples/deploy/compose.yaml says the same, with all the limits.
#
# Where no registry can be reached, images of your own stand in for both: BUILDER brings the packages in
# /packages/node_modules and /build/node_modules, NODE brings git and ssh. What is there already is not fetched.
ARG NODE=node:24-slim
ARG BUILDER=${NODE}

FROM ${BUILDER} AS packages
WORKDIR /packages
COPY package.json package-lock.json .npmrc ./
RUN [ -d node_modules ] || npm ci --omit=dev

FROM ${BUILDER} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN [ -d node_modules ] || npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# What `npm run build` does; a builder of your own may have no npm.
RUN PATH=/build/node_modules/.bin:$PATH sh -c "$(node -p 'require("./package.json").scripts.build')"

FROM ${NODE}
# The source reads manifests with git, and ssh where the manifest's address asks for it.
RUN { command -v git && command -v ssh; } > /dev/null \
  || { apt-get update && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/*; }
# The engine's socket belongs to a group of the machine: give its number with --group-add.
RUN mkdir -p /var/lib/mcp-orchestration && chown 1000:1000 /var/lib/mcp-orchestration
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=packages /packages/node_modules ./node_modules
COPY --from=build /build/dist ./dist
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="mcp-orchestration" \
  org.opencontainers.image.description="Keeps the MCP servers of a manifest repository running on a Docker Engine" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}"
ENV NODE_ENV=production \
  MCP_ORCHESTRATION_STATE=/var/lib/mcp-orchestration \
  MCP_ORCHESTRATION_LISTEN=127.0.0.1:8090 \
  MCP_ORCHESTRATION_REACH=container
USER 1000:1000
STOPSIGNAL SIGTERM
# Sick servers are not our sickness: /health is about the orchestrator alone, and asks for no token.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MCP_ORCHESTRATION_LISTEN.split(':').pop()}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["run"]
