"""Write docs/platform-contract.yaml: `python -m tests.simulator.contract_document`. YAML, because people read it."""

import json
from pathlib import Path

import yaml

from simulator.app import contract_json

DOCUMENT = Path(__file__).parents[2] / "docs" / "platform-contract.yaml"


def contract_yaml() -> str:
    """`docs/platform-contract.yaml` as it has to be."""

    class Dumper(yaml.SafeDumper):
        """Writes text of several lines as such."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(json.loads(contract_json()), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    DOCUMENT.write_text(contract_yaml())
