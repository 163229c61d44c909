# The addon with which `npm run test:posix` runs the suite: native/platform/posix, over as much of a Mac as Linux can be.
enable_language(C)

set(posix_list platform/posix/sources.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${posix_list})
file(STRINGS ${posix_list} posix_sources)
list(APPEND posix_sources
  native/platform/linux/program_file.cc
  native/platform/linux/seccomp_filter.cc
  test/support/posix/enforcement_on_linux.c
  test/support/posix/kqueue.cc
  test/support/posix/system.cc)
list(TRANSFORM posix_sources PREPEND ${root}/)

# As the loader finds it: in the folder that SIGSHIELD_PREBUILD names.
set(posix_folder ${CMAKE_CURRENT_BINARY_DIR}/posix/build/Release)

# What is portable is compiled once.
add_library(sigshield_posix MODULE ${posix_sources}
  $<FILTER:$<TARGET_OBJECTS:sigshield>,EXCLUDE,platform/linux/>)
set_target_properties(sigshield_posix PROPERTIES
  OUTPUT_NAME sigshield PREFIX "" SUFFIX ".node"
  C_STANDARD 17 C_VISIBILITY_PRESET hidden CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden
  LIBRARY_OUTPUT_DIRECTORY ${posix_folder} LIBRARY_OUTPUT_DIRECTORY_RELEASE ${posix_folder} LIBRARY_OUTPUT_DIRECTORY_DEBUG ${posix_folder})
target_compile_features(sigshield_posix PRIVATE cxx_std_20)
target_include_directories(sigshield_posix PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(sigshield_posix SYSTEM PRIVATE ${root}/test/support/posix ${CMAKE_JS_INC} ${addon_api})
foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS LINK_OPTIONS)
  get_target_property(value sigshield ${property})
  set_target_properties(sigshield_posix PROPERTIES ${property} "${value}")
endforeach()

add_executable(sigshield_exec
  ${root}/native/platform/posix/exec_helper.c
  ${root}/native/platform/posix/become.c
  ${root}/test/support/posix/enforcement_on_linux.c
  ${root}/test/support/posix/exec_helper_on_linux.c)
set_target_properties(sigshield_exec PROPERTIES
  OUTPUT_NAME sigshield-exec C_STANDARD 17
  RUNTIME_OUTPUT_DIRECTORY ${posix_folder} RUNTIME_OUTPUT_DIRECTORY_RELEASE ${posix_folder} RUNTIME_OUTPUT_DIRECTORY_DEBUG ${posix_folder})
target_include_directories(sigshield_exec PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(sigshield_exec PRIVATE _GNU_SOURCE)
target_compile_options(sigshield_exec PRIVATE -Wall -Wextra -Wconversion -Wshadow -Werror)
