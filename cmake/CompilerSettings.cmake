# Language level, warnings, sanitizers and the compiler cache, for every target of the project.
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE)
  # Several checkouts of one machine share results: paths are made relative, precompiled headers are allowed.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

set(TOCSIN_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined")

add_library(tocsin_settings INTERFACE)
target_include_directories(tocsin_settings INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(tocsin_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                                 -Wnon-virtual-dtor -Wold-style-cast -Werror -fno-omit-frame-pointer)
if(TOCSIN_SANITIZE)
  # Debian's CAF headers make a null reference in init_fun_factory.hpp that UBSan's null check reports.
  target_compile_options(tocsin_settings INTERFACE -fsanitize=${TOCSIN_SANITIZE} -fno-sanitize-recover=all -fno-sanitize=null)
  target_link_options(tocsin_settings INTERFACE -fsanitize=${TOCSIN_SANITIZE})
endif()
if(TOCSIN_FUZZ)
  # Everything that a fuzzer calls reports the branches it took; only the fuzzers themselves link libFuzzer's main().
  target_compile_options(tocsin_settings INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tocsin_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()

# models and detectors promise the same bytes for the same records: no contraction of a*b+c, no fast-math.
add_library(tocsin_exact_settings INTERFACE)
target_link_libraries(tocsin_exact_settings INTERFACE tocsin_settings)
target_compile_options(tocsin_exact_settings INTERFACE -ffp-contract=off)
