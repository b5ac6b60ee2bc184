#!/bin/sh
# Durable ingest beside InfluxDB, in one run. Arguments name the parts to run (README.md); without any, all run.
set -eu
cd "$(dirname "$0")"
if [ ! -x /usr/bin/influxd ]; then
    apt-get install -y influxdb >/dev/null 2>&1 || echo "InfluxDB cannot be installed here: measured without it"
fi
swift build -c release --product IngestBenchmark
exec "$(swift build -c release --show-bin-path)/IngestBenchmark" "$@"
