#!/bin/sh
# A webhook as an exec sink: posts each line of JSON that nilod writes.
#
#   [[sink]]
#   kind = "exec"
#   command = ["/usr/local/lib/nilometer/webhook.sh", "https://example.org/forecasts"]
#   series = "room,*"
#
# While curl waits for a slow server the pipe fills, then up to 64 MiB of events wait in nilod; what finds no room is counted
# and left out. What could not be delivered in three tries is named in nilod's log and left out. Under systemd it needs
# nilod.service.d/network.conf.
url=${1:?expected a URL}

while IFS= read -r line; do
    printf '%s\n' "$line" | curl --silent --show-error --fail --max-time 10 --retry 2 \
        --header 'Content-Type: application/json' --data-binary @- --output /dev/null "$url" \
        || echo "an event for $url was left out" >&2
done
