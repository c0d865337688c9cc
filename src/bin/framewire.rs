//! The program: see `framewire::cli`.

fn main() -> std::process::ExitCode {
    framewire::cli::main()
}
