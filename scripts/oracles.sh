#!/usr/bin/env bash
# Every recorded case of the finance domain on SQLite and on PostgreSQL, and a table of how many hold where; fails when one
# does not. CELERIAC_ORACLES and CELERIAC_DATA name other folders in the same format.
set -euo pipefail

# Before anything is built. Tests run in their own crate's folder, so a relative path is made absolute here.
other_set() { # VARIABLE PATTERN: the folder, when one is named, and something in it
    local named=${!1:-}
    [[ -n $named ]] || { unset "$1"; return 0; }
    [[ -d $named ]] || { echo "error: $1 is '$named', which is not a folder" >&2; exit 1; }
    compgen -G "$named/$2" >/dev/null || { echo "error: $1 is '$named', which has no $2" >&2; exit 1; }
    export "$1=$(realpath "$named")"
}
other_set CELERIAC_ORACLES '*.json'
other_set CELERIAC_DATA '*/*.csv'
cd "$(dirname "$0")/.."

said=$(mktemp)
trap 'rm -f "$said"' EXIT
# Each crate's table of families is filled although another's tests have failed.
test() { cargo test --quiet -p "$1" --test it -- --nocapture "${@:2}" | tee -a "$said" || echo "failed: $1" >>"$said"; }
test portfolio oracles::
test market-data oracles::
test beat oracles::
test beat-sql oracles::
test tasks validation_oracles
test tasks-maintenance validation_oracles
test reports exports_are_as_recorded

grep -o 'oracle [^ ]* [^:]*: [0-9]* cases\|^failed: .*' "$said" | awk '
    /^failed/ { failed = failed " " $2; next }
    {
        split($0, parts, ": ")
        split(parts[1], words, " ")
        file = words[2]
        place = substr(parts[1], length("oracle " file) + 2)
        count = parts[2] + 0
        if (!(file in cases)) order[++files] = file
        if (count > cases[file]) cases[file] = count
        held[file, place] = count
    }
    END {
        split("on SQLite|on PostgreSQL", places, "|")
        format = "%-18s %7s %10s %14s\n"
        printf format, "file", "cases", places[1], places[2]
        for (f = 1; f <= files; f++) {
            file = order[f]
            exported = file ~ /^export/
            for (p = 1; p <= 2; p++) {
                found = held[file, places[p]] + 0
                shown[p] = found "/" cases[file]
                if (!exported) sum[p] += found
                if (found < cases[file]) missing = 1
            }
            if (!exported) total += cases[file]
            printf format, file, cases[file], shown[1], shown[2]
        }
        printf format, "without exports", total, sum[1] "/" total, sum[2] "/" total
        if (failed != "") print "tests failed in:" failed
        exit missing || failed != "" || !files
    }'
