#!/usr/bin/env bash
# Runs libFuzzer on the line protocol decoder for some seconds (60 unless told otherwise), built apart from everything
# else. A finding fails and leaves its input in .build-fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-60}"
out=.build-fuzz
flags=(-O -parse-as-library -swift-version 6 -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature InternalImportsByDefault -package-name nilometer
    -sanitize=fuzzer,address -use-ld=lld -I "$out")
mkdir -p "$out/corpus"

cat >"$out/probe.swift" <<'SWIFT'
@_cdecl("LLVMFuzzerTestOneInput")
public func probe(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { 0 }
SWIFT
if ! swiftc "${flags[@]}" -o "$out/probe" "$out/probe.swift" 2>"$out/probe.log"; then
    echo "skipped: this Swift toolchain does not link libFuzzer's runtime: $(tail -n 1 "$out/probe.log")"
    exit 0
fi

module() {
    swiftc "${flags[@]}" -emit-module -emit-module-path "$out/$1.swiftmodule" -module-name "$1" \
        -whole-module-optimization -emit-object -o "$out/$1.o" Sources/"$1"/*.swift
}
module TimeSeries
module LineProtocol
swiftc "${flags[@]}" -o "$out/line-protocol-fuzzer" Tests/Fuzzing/LineProtocolFuzzer.swift \
    "$out/TimeSeries.o" "$out/LineProtocol.o"

echo "fuzzing the line protocol decoder for $seconds s"
# A backtrace would keep libFuzzer from writing down the input that crashed.
SWIFT_BACKTRACE=enable=no "$out/line-protocol-fuzzer" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 \
    -verbosity=0 -max_len=4096 -dict=Tests/Fuzzing/line-protocol.dict -artifact_prefix="$out/" -print_final_stats=1 \
    "$out/corpus"
echo "no finding"
