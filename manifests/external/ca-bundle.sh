#!/bin/sh
# Prints the patch that sets caBundle from a file of CA certificates in PEM. The entries are found by their names, so it is a
# strategic merge patch.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 CA-FILE" >&2; exit 2; }
bundle=$(base64 < "$1" | tr -d '\n')
[ -n "$bundle" ] || { echo "$1 is empty" >&2; exit 2; }
cat <<END
webhooks:
- name: inject.tracing.seldon.io
  clientConfig: {caBundle: $bundle}
- name: default-on.tracing.seldon.io
  clientConfig: {caBundle: $bundle}
END
