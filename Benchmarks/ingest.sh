#!/bin/sh
# Durable ingest beside InfluxDB, in one run. Arguments name the parts to run (README.md); without any, all run.
set -eu
cd "$(dirname "$0")"
if [ ! -x /usr/bin/influxd ]; then
    apt-get install -y influxdb >/dev/null 2>&1 || echo "InfluxDB cannot be installed here: measured without it"
fi
# In the main build's folder, so that nothing is compiled twice.
swift build -c release --scratch-path ../.build --product IngestBenchmark
exec ../.build/release/IngestBenchmark "$@"
