# One folder under src/ = one library = one concept. Their order is the order in which data flows;
# a library may include only itself and libraries before it, except the pairs forbidden below.
set(CANBAO_LIBRARIES base identity scheme extract comparison register casework survey reporting
    exchange analysis service app)

# Pairs "from>to" that are forbidden although the order would allow them.
set(CANBAO_FORBIDDEN_INCLUDES
    "register>comparison" # they meet in the outcome files (docs/formats/outcome-files.md)
)

# Fails the configuration when a file of library `name` includes a library it may not see, or the
# internal/ folder of another one.
function(canbao_check_includes name)
  list(FIND CANBAO_LIBRARIES ${name} own)
  if(own EQUAL -1)
    message(FATAL_ERROR "src/${name} is not in CANBAO_LIBRARIES (cmake/CanbaoLibrary.cmake)")
  endif()
  file(GLOB_RECURSE files ${CMAKE_CURRENT_SOURCE_DIR}/*.h ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(file IN LISTS files)
    file(STRINGS ${file} lines REGEX "^#include \"[a-z]+/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"([a-z]+)/.*" "\\1" other "${line}")
      if(other STREQUAL name)
        continue()
      endif()
      list(FIND CANBAO_LIBRARIES ${other} theirs)
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

# canbao_library(name [LINK libs...]): the library of the current source folder. Every .cc belongs to
# it but x_test.cc (one test executable per library, `<name>_test`), x_bench.cc (`<name>_bench`) and
# x_fuzz.cc (one fuzz target each, `<x>_fuzz`, only with CANBAO_FUZZ).
function(canbao_library name)
  cmake_parse_arguments(ARG "" "" "LINK;TEST_LINK" ${ARGN})
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

  if(tests AND CANBAO_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE canbao_${name} ${ARG_TEST_LINK} GTest::gmock
                                               GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE CANBAO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES LABELS "unit" TIMEOUT 900)
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
      target_link_libraries(${target} PRIVATE canbao_${name})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      target_compile_definitions(${target} PRIVATE CANBAO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    endforeach()
  endif()
endfunction()
