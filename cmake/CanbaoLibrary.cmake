# One folder under src/ = one library = one concept. Their order is the order in which data flows;
# a library may include only itself and libraries before it, except the pairs forbidden below.
set(CANBAO_LIBRARIES base identity scheme extract linkage comparison register casework survey reporting
    exchange analysis service app)

# Pairs "from>to" that are forbidden although the order would allow them.
set(CANBAO_FORBIDDEN_INCLUDES
    "register>comparison" # they meet in the outcome files (docs/formats/outcome-files.md)
)

# Fails when a file of library `name` includes a library it may not see, the internal/ folder of
# another one, or a file by a relative path. Runs at configuration, and as the test `house_includes`
# for includes that were added since. `folder` is the library's, the current one by default.
function(canbao_check_includes name)
  set(folder ${CMAKE_CURRENT_SOURCE_DIR})
  if(ARGC GREATER 1)
    set(folder ${ARGV1})
  endif()
  list(FIND CANBAO_LIBRARIES ${name} own)
  if(own EQUAL -1)
    message(FATAL_ERROR "src/${name} is not in CANBAO_LIBRARIES (cmake/CanbaoLibrary.cmake)")
  endif()
  file(GLOB_RECURSE files ${folder}/*.h ${folder}/*.cc ${folder}/*.inc)
  foreach(file IN LISTS files)
    file(STRINGS ${file} lines REGEX "^[ \t]*#[ \t]*include[ \t]*[\"<][^\">]+/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*([\"<])([^/]+)/.*" "\\1;\\2" parts "${line}")
      list(GET parts 0 quote)
      list(GET parts 1 other)
      if(other STREQUAL ".." OR other STREQUAL ".")
        message(FATAL_ERROR "${file}: include paths begin at src/, not at '${other}'")
      endif()
      list(FIND CANBAO_LIBRARIES ${other} theirs)
      if(other STREQUAL name OR (quote STREQUAL "<" AND theirs EQUAL -1))
        continue()
      endif()
      if(theirs EQUAL -1 OR theirs GREATER own OR "${name}>${other}" IN_LIST
         CANBAO_FORBIDDEN_INCLUDES)
        message(FATAL_ERROR "${file}: library '${name}' must not include '${other}'")
      endif()
      if(line MATCHES "/internal/")
        message(FATAL_ERROR "${file}: includes the internal folder of '${other}'")
      endif()
    endforeach()
  endforeach()
endfunction()

# Headers that nearly every file includes, compiled once: a third off a build with gcc. Sources still
# include what they use; the lint and the sanitizer build, which go without, would tell.
if(CANBAO_PCH)
  file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cc "")
  add_library(canbao_pch OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cc)
  target_link_libraries(canbao_pch PRIVATE fmt::fmt Threads::Threads)
  target_precompile_headers(canbao_pch PRIVATE
    <algorithm> <array> <atomic> <cstdint> <cstring> <functional> <map> <memory> <mutex> <optional>
    <string> <string_view> <unordered_map> <vector> <fmt/format.h> <tl/expected.hpp>)
  if(CANBAO_TESTS)
    add_library(canbao_test_pch OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cc)
    target_link_libraries(canbao_test_pch PRIVATE fmt::fmt Threads::Threads GTest::gmock GTest::gtest)
    target_precompile_headers(canbao_test_pch PRIVATE
      <algorithm> <array> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <optional>
      <random> <set> <sstream> <string> <thread> <vector> <fmt/format.h> <tl/expected.hpp>
      <gtest/gtest.h>)
  endif()
endif()
function(canbao_precompiled target kind)
  if(CANBAO_PCH)
    target_precompile_headers(${target} REUSE_FROM ${kind})
  endif()
endfunction()

# Several sources in one compilation: what their headers cost is paid once, which is most of a test and
# of anything under the sanitizers. Names in anonymous namespaces must differ within a library.
function(canbao_unity target kind)
  if(kind IN_LIST CANBAO_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()

# Tests and the command itself under the sanitizers: their objects are compiled more often than they
# run, so the optimiser, half of what one costs, is left out. The libraries they test keep theirs.
function(canbao_unoptimised target)
  if(CANBAO_FUZZ)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# canbao_library(name [LINK libs...] [TEST_LINK libs...] [TEST_COST seconds]): the library of the current source folder. Every .cc belongs to
# it but x_test.cc (one test executable per library, `<name>_test`), x_bench.cc (`<name>_bench`) and
# x_fuzz.cc (one fuzz target each, `<x>_fuzz`, only with CANBAO_FUZZ). Tests of a known cost start first.
function(canbao_library name)
  cmake_parse_arguments(ARG "" "TEST_COST" "LINK;TEST_LINK" ${ARGN})
  canbao_check_includes(${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  set(benches ${sources})
  set(fuzzers ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")

  if(NOT sources)
    message(STATUS "src/${name} has no sources yet")
    add_library(canbao_${name} INTERFACE)
    target_link_libraries(canbao_${name} INTERFACE ${ARG_LINK})
    return()
  endif()

  add_library(canbao_${name} STATIC ${sources})
  target_include_directories(canbao_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(canbao_${name} PUBLIC ${ARG_LINK})
  canbao_precompiled(canbao_${name} canbao_pch)
  canbao_unity(canbao_${name} product)
  if(CANBAO_FUZZ)
    # Shows libFuzzer which way was taken; tests link the same objects, with nobody looking.
    target_compile_options(canbao_${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()

  if(tests AND CANBAO_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE canbao_${name} ${ARG_TEST_LINK} GTest::gmock
                                               GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE CANBAO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    canbao_precompiled(${name}_test canbao_test_pch)
    canbao_unity(${name}_test tests)
    canbao_unoptimised(${name}_test)
    # A test runs once for each time it is compiled: the third level costs more than it saves.
    if(NOT CANBAO_SANITIZE)
      target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
    endif()
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES LABELS "unit" TIMEOUT 900)
    if(ARG_TEST_COST)
      set_tests_properties(${name} PROPERTIES COST ${ARG_TEST_COST})
    endif()
  endif()
  if(benches AND CANBAO_BENCHES)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE canbao_${name} benchmark::benchmark_main)
    target_compile_definitions(${name}_bench PRIVATE CANBAO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  endif()
  if(CANBAO_FUZZ)
    foreach(fuzzer IN LISTS fuzzers)
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      add_dependencies(fuzzers ${target})
      target_link_libraries(${target} PRIVATE canbao_${name})
      target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      target_compile_definitions(${target} PRIVATE CANBAO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    endforeach()
  endif()
endfunction()
