# SPDX-License-Identifier: Apache-2.0
# ragel_target(TARGET FILE.rl...): generates C (goto style, -G2) in the build folder and adds it to TARGET.
function(ragel_target target)
  foreach(source IN LISTS ARGN)
    get_filename_component(name ${source} NAME_WE)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/${name}.c)
    add_custom_command(OUTPUT ${out}
      COMMAND ${RAGEL} -C -G2 -L -o ${out} ${CMAKE_CURRENT_SOURCE_DIR}/${source}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source} VERBATIM)
    target_sources(${target} PRIVATE ${out})
    # What Ragel writes is not ours to style.
    set_source_files_properties(${out} PROPERTIES COMPILE_OPTIONS
      "-Wno-sign-conversion;-Wno-conversion;-Wno-implicit-fallthrough;-Wno-unused-label")
  endforeach()
endfunction()
