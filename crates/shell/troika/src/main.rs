//! Troika.

mod config;

fn main() {
    print!("{}", config::Config::example());
}
