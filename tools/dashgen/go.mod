module github.com/b2bexporter/b2b_exporter/tools/dashgen

go 1.26.0

require github.com/grafana/grafana-foundation-sdk/go v0.0.18
