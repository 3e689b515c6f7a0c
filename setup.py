"""The one thing about the wheel that pyproject.toml cannot say: the catalogues are compiled before it is packed."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCatalogues(build_py):
    def run(self) -> None:
        for catalogue in Path("i18n").glob("*/LC_MESSAGES/messages.po"):
            with catalogue.open("rb") as written, catalogue.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, read_po(written))
        super().run()


setup(cmdclass={"build_py": BuildWithCatalogues})
