//! The program of the benchmarks; everything is in the library, which the counting program shares.

fn main() -> std::process::ExitCode {
    bench::main()
}
