# One image, one program: what it does depends on the command (default: serve) and on the gestore's folder,
# /var/lib/ceralacca, made once by "ceralacca init --dir /var/lib/ceralacca ...".

FROM node:20-bookworm AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
ENV NODE_ENV=production \
    CERALACCA_CONFIG=/var/lib/ceralacca/config/gestore.yaml
WORKDIR /opt/ceralacca
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY bin bin
# The folders belong to the user the program runs as; a new named volume takes that over. /exchange is where gestori on one
# machine lay out for each other what is public: their records and their CAs (see docker-compose.yml).
RUN ln -s /opt/ceralacca/bin/ceralacca /usr/local/bin/ceralacca \
 && install -d -o node -g node -m 0750 /var/lib/ceralacca \
 && install -d -o node -g node /exchange
USER node
WORKDIR /var/lib/ceralacca
VOLUME /var/lib/ceralacca
EXPOSE 25 443 465 587 995
# The certificate names the host and not the loopback address, so its name is not checked on this one request.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
  CMD ["env", "NODE_NO_WARNINGS=1", "NODE_TLS_REJECT_UNAUTHORIZED=0", "node", "-e", \
       "fetch(`https://127.0.0.1:${process.env.CERALACCA__LISTEN__HTTPS ?? 443}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The server ends by itself on SIGTERM and has no children: it needs no init process above it.
STOPSIGNAL SIGTERM
CMD ["ceralacca", "serve"]
