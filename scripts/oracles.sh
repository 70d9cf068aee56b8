#!/usr/bin/env bash
# Every recorded case of the finance domain, and a table of how many hold where. CELERIAC_ORACLES and CELERIAC_DATA name
# other folders in the same format. Families without a database in them (arguments, schedules, answers of providers,
# attribution, exports) are computed in memory only.
set -euo pipefail
cd "$(dirname "$0")/.."

said=$(mktemp)
trap 'rm -f "$said"' EXIT
test() { cargo test --quiet -p "$1" --test it -- --nocapture "${@:2}" | tee -a "$said"; }
test portfolio oracles::
test market-data oracles::
test beat oracles::
test tasks validation_oracles
test reports exports_are_as_recorded

grep -o 'oracle [^ ]* [^:]*: [0-9]* cases' "$said" | awk '
    {
        split($0, parts, ": ")
        split(parts[1], words, " ")
        file = words[2]
        place = substr(parts[1], length("oracle " file) + 2)
        count = parts[2] + 0
        if (!(file in cases)) order[++files] = file
        cases[file] = count
        held[file, place] = count
    }
    END {
        split("in memory|on SQLite|on PostgreSQL", places, "|")
        format = "%-18s %7s %10s %10s %14s\n"
        printf format, "file", "cases", places[1], places[2], places[3]
        for (f = 1; f <= files; f++) {
            file = order[f]
            for (p = 1; p <= 3; p++) {
                found = (file, places[p]) in held ? held[file, places[p]] : "-"
                shown[p] = found
                if (file !~ /^export/) sum[p] += found
            }
            if (file !~ /^export/) total += cases[file]
            printf format, file, cases[file], shown[1], shown[2], shown[3]
        }
        printf format, "without exports", total, sum[1], sum[2], sum[3]
    }'
