# Synthesis of generated RTL out of context, with a clock, so that there is timing; place and route on demand.
# Run in a folder that holds the RTL in rtl/; settings.tcl lies beside this script.

source [file join [file dirname [file normalize [info script]]] settings.tcl]

proc report {stage} {
    report_utilization -file utilization_$stage.rpt
    report_utilization -hierarchical -file hierarchy_$stage.rpt
    report_timing_summary -file timing_$stage.rpt
}

proc build {} {
    global top part clock_ns rung threads checkpoint

    set_param general.maxThreads $threads
    create_project -in_memory -part $part
    read_verilog [glob rtl/*.v]
    # Tables that the RTL reads with $readmemh.
    foreach data [glob -nocomplain rtl/*.dat rtl/*.mem] {
        add_files $data
    }
    set constraints [open clock.xdc w]
    puts $constraints "create_clock -period $clock_ns -name ap_clk \[get_ports ap_clk\]"
    close $constraints
    read_xdc -mode out_of_context clock.xdc

    synth_design -top $top -part $part -mode out_of_context
    report synth
    if {$rung eq "routed"} {
        opt_design
        place_design
        phys_opt_design
        route_design
        report routed
        report_power -file power_routed.rpt
    }
    if {$checkpoint} {
        write_checkpoint -force $rung.dcp
    }
}

if {[catch build message]} {
    puts "ERROR: $message"
    puts $::errorInfo
    exit 1
}
exit 0
