//! Who may open a connection now.

use std::net::IpAddr;

/// Decides on each new connection before a byte is read.
pub trait Admission: Send + Sync {
    /// A pass to hold while the connection lives, or None when there are too many.
    fn admit(&self, peer: Option<IpAddr>) -> Option<Pass>;
}

/// Held by a connection; gives its place back when dropped.
pub struct Pass(Option<Box<dyn FnOnce() + Send>>);

impl Pass {
    /// A pass that runs `back` when it is given back.
    pub fn new(back: impl FnOnce() + Send + 'static) -> Pass {
        Pass(Some(Box::new(back)))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(back) = self.0.take() {
            back();
        }
    }
}
