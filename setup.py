"""Compile the modules that setup.cfg names when a C compiler is there, and write the manual; the rest is in setup.cfg."""

import configparser
import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Extension, setup
from setuptools._distutils.ccompiler import new_compiler
from setuptools._distutils.errors import CompileError, DistutilsPlatformError
from setuptools._distutils.sysconfig import customize_compiler
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

CORES = os.cpu_count() or 1

FLAGS = ["-O1", "-g0"]
"""Of gcc and clang, for most modules: three fifths of the time of -O2, and hardly more instructions when they run."""

HOT_FLAGS = ["-O2", "-g0"]
"""For the modules that setup.cfg lists as `hot`: those with the most instructions of their own."""

DIRECTIVES = {"language_level": 3, "wraparound": False, "cdivision": True, "auto_pickle": False}
"""Nothing pickles a compiled object. The code for it would take a tenth of the time to compile."""


class BuildCompiled(build_ext):
    """Translate to C in the build folder, so that neither the checkout nor an sdist gets C files; what fails there fails."""

    def initialize_options(self) -> None:
        """Compile on all cores."""
        super().initialize_options()
        self.parallel = CORES

    def build_extensions(self) -> None:
        """Translate whatever is newer than its C file, its .pxd files counted, then compile, the largest C file first."""
        from Cython.Build import cythonize

        translated = cythonize(
            self.extensions,
            build_dir=self.build_temp,
            compiler_directives=DIRECTIVES,
            force=self.force,
            nthreads=CORES,
        )
        for extension, c_extension in zip(self.extensions, translated, strict=True):
            extension.sources = c_extension.sources
            if self.compiler.compiler_type == "msvc":
                extension.extra_compile_args = []
        self.extensions.sort(key=lambda extension: -Path(extension.sources[0]).stat().st_size)
        super().build_extensions()


class BuildManual(Command):
    """Write the manual pages from the parser of the command line, and have them installed in share/man/man1."""

    def initialize_options(self) -> None:
        """Take the folder from `build`."""
        self.folder = ""

    def finalize_options(self) -> None:
        """Take the folder from `build`."""
        self.folder = str(Path(self.get_finalized_command("build").build_base) / "man1")

    def run(self) -> None:
        """Import the parser, which needs nothing but Python, from this checkout."""
        sys.path.insert(0, str(Path(__file__).resolve().parent))
        from analyzer.cli.manual_pages import write_manual

        pages = write_manual(Path(self.folder))
        self.distribution.data_files = [("share/man/man1", [str(page) for page in pages])]


class Build(build):
    """Build the manual too."""

    sub_commands: ClassVar = [*build.sub_commands, ("build_manual", None)]


def compiler_works() -> bool:
    """Whether a C file of one line that includes Python.h compiles here."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text("#include <Python.h>\nint probe(void) { return 0; }\n")
        compiler = new_compiler()
        customize_compiler(compiler)
        try:
            compiler.compile([str(source)], output_dir=folder, include_dirs=[sysconfig.get_path("include")])
        except (CompileError, DistutilsPlatformError, OSError):
            return False
    return True


def compiled_modules() -> list[Extension]:
    """The modules to compile; none, and that said, without a compiler or with ANALYZER_COMPILE=0."""
    if os.environ.get("ANALYZER_COMPILE", "1") == "0":
        print("analyzer: ANALYZER_COMPILE=0, installing uncompiled", file=sys.stderr)
        return []
    if not compiler_works():
        print("analyzer: NO WORKING C COMPILER WITH Python.h: installing uncompiled, several times slower", file=sys.stderr)
        return []
    settings = configparser.ConfigParser()
    settings.read("setup.cfg", encoding="utf-8")
    compiled = settings["analyzer:compiled"]
    modules, hot = compiled["modules"].split(), compiled["hot"].split()
    return [
        Extension(module, [module.replace(".", "/") + ".py"], extra_compile_args=HOT_FLAGS if module in hot else FLAGS)
        for module in modules
    ]


setup(ext_modules=compiled_modules(), cmdclass={"build": Build, "build_ext": BuildCompiled, "build_manual": BuildManual})
