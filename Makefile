# make demo | test | check | format | install | develop | package | compose-test | fuzz | load | chaos | soak | lock | pin.  Everything happens in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
comma := ,
# The CPU build of torch (200 MB) rather than the CUDA build (gigabytes); falls back to the package index.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: demo test check format lint unit install develop clean package compose-test lock pin fuzz load chaos soak

demo: $(VENV)/.demo
	$(BIN)/python -m benchmarks.demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest --durations=15

check: $(VENV)/.dev lint unit

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/python -m pytest tests/unit

# The deployment on a real Docker engine, mistreated in the middle of a job; minutes, so not part of `test`.
compose-test: $(VENV)/.dev
	$(BIN)/python -m tests.compose

# A gateway under inputs that nobody foresaw, for MINUTES; prints a table of what each door did.
MINUTES ?= 5
fuzz: $(VENV)/.dev
	$(BIN)/python -m pip install -q --only-binary :all: 'atheris>=2.3' || true
	$(BIN)/python -m benchmarks.reliability.fuzz --minutes $(MINUTES)

# A gateway under uploads, listeners and slow clients, for some minutes; prints a table of what became of it.
load: $(VENV)/.dev
	$(BIN)/python -m benchmarks.reliability.load

# Kills, stops, restarts and copies running services, and judges what became of every job: make chaos MINUTES=10 FAULTS=500
# goes on with further services, ten minutes each, until there were so many faults.
FAULTS ?= 0
SERVICES ?= disk
chaos: $(VENV)/.dev
	$(BIN)/python -m benchmarks.reliability.chaos --minutes $(MINUTES) --until-faults $(FAULTS) --services $(SERVICES)

# Works a service for MINUTES and prints what of it grew: make soak MINUTES=60
soak: $(VENV)/.dev
	$(BIN)/python -m benchmarks.reliability.soak --minutes $(MINUTES)

# A wheel and a source distribution in dist/, both with the models.
package: | $(BIN)/python
	$(BIN)/python -m pip install -q 'build>=1.2'
	$(BIN)/python -m build

# Pins what the images install.
lock: $(VENV)/.dev
	$(BIN)/python -m pip install -q uv
	PATH="$(CURDIR)/$(BIN):$$PATH" docker/lock.sh

# Writes the digests of base images behind their tags, or renews them. Needs Docker with buildx, and the registries.
pin:
	docker/pin.sh

# Extras of pyproject.toml, with commas between: make install EXTRAS=triton,s3. pip is quick where nothing is missing.
# ONNX Runtime comes in two builds with the same files: EXTRAS=gpu replaces that for the CPU, which is the default.
PIP := $(BIN)/python -m pip
install: | $(BIN)/python
ifneq (,$(findstring gpu,$(EXTRAS)))
	if $(PIP) show -q onnxruntime 2>/dev/null; then $(PIP) uninstall -q -y onnxruntime onnxruntime-gpu; fi
	$(PIP) install -q -e '.[$(EXTRAS)]'
else
	if $(PIP) show -q onnxruntime-gpu 2>/dev/null; then build=gpu; else build=cpu; fi; \
	$(PIP) install -q -e ".[$$build$(if $(EXTRAS),$(comma)$(EXTRAS))]"
endif

develop: $(VENV)/.dev

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build demo dist runs .mypy_cache .ruff_cache .pytest_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo 'Installing what the demo needs into $(VENV), once. This takes minutes ...'
	$(BIN)/python -m pip install -q -e '.[cpu,data]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo 'Installing what tests and training need into $(VENV), once. This takes minutes ...'
	$(BIN)/python -m pip install -q --retries 0 --timeout 10 --no-deps --index-url $(TORCH_INDEX) torch==2.13.0 || true
	$(BIN)/python -m pip install -q -e '.[dev]'
	touch $@
