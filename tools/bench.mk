# Figures of goals: a table, and $(BUILD)/bench.json.
bench: image-files test-guests host-tools
	$(PYTHON) tools/bench.py --build $(BUILD)
.PHONY: bench
