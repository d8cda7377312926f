# C synthesis of a project that hls4ml has written, with the settings of hls4ml's own script; co-simulation on demand.
# Run inside a copy of the project; settings.tcl lies beside this script.

source [file join [file dirname [file normalize [info script]]] settings.tcl]

proc build {} {
    global top part clock_ns clock_uncertainty maximum_size cosim export_ip

    open_project -reset ${top}_prj
    set_top $top
    add_files firmware/${top}.cpp -cflags "-std=c++0x"
    if {$cosim} {
        add_files -tb ${top}_test.cpp -cflags "-std=c++0x -DRTL_SIM"
        add_files -tb firmware/weights
        add_files -tb tb_data
    }
    open_solution -reset solution1
    # Not known to every version.
    catch {config_array_partition -maximum_size $maximum_size}
    config_compile -name_max_length 80
    set_part $part
    config_schedule -enable_dsp_full_reg=false
    create_clock -period $clock_ns -name default
    set_clock_uncertainty $clock_uncertainty default
    csynth_design
    if {$cosim} {
        cosim_design -rtl verilog
    }
    if {$export_ip} {
        export_design -format ip_catalog
    }
}

if {[catch build message]} {
    puts "ERROR: $message"
    puts $::errorInfo
    exit 1
}
exit 0
