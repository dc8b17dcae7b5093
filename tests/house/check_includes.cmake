# cmake -DSOURCE=<source folder> [-DLIBRARY=<name> -DFOLDER=<folder>] -P check_includes.cmake
# The dependency rule of cmake/CanbaoLibrary.cmake, over all libraries or over one folder that plays
# the part of LIBRARY.
cmake_minimum_required(VERSION 3.25)
include(${SOURCE}/cmake/CanbaoLibrary.cmake)
if(LIBRARY)
  canbao_check_includes(${LIBRARY} ${FOLDER})
  return()
endif()
file(GLOB folders LIST_DIRECTORIES true ${SOURCE}/src/*)
foreach(folder IN LISTS folders)
  if(IS_DIRECTORY ${folder})
    get_filename_component(name ${folder} NAME)
    canbao_check_includes(${name} ${folder})
  endif()
endforeach()
