"""Compile the modules that setup.cfg names when a C compiler is there; everything else about the package is in setup.cfg."""

import configparser
import os
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools._distutils.ccompiler import new_compiler
from setuptools._distutils.errors import CompileError, DistutilsPlatformError
from setuptools._distutils.sysconfig import customize_compiler


def compiler_works() -> bool:
    """Whether a C file of one line that includes Python.h compiles here."""
    import sysconfig

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


def extensions() -> list[Extension]:
    """The compiled modules; none, said loudly, without a compiler or with ANALYZER_COMPILE=0."""
    if os.environ.get("ANALYZER_COMPILE", "1") == "0":
        print("analyzer: ANALYZER_COMPILE=0, installing uncompiled", file=sys.stderr)
        return []
    if not compiler_works():
        print("analyzer: no working C compiler with Python.h, installing uncompiled (slower)", file=sys.stderr)
        return []
    from Cython.Build import cythonize

    settings = configparser.ConfigParser()
    settings.read("setup.cfg")
    modules = settings["analyzer:compiled"]["modules"].split()
    return cythonize(
        [Extension(module, [module.replace(".", "/") + ".py"]) for module in modules],
        compiler_directives={"language_level": 3, "wraparound": False, "cdivision": True},
        nthreads=os.cpu_count() or 1,
    )


setup(ext_modules=extensions())
