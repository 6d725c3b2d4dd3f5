//! Engines by number.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crate::engine::Engine;

static ENGINES: LazyLock<RwLock<HashMap<i64, Arc<Engine>>>> = LazyLock::new(RwLock::default);

/// An engine that calls of C find by its number for as long as this lives. A call that goes on meanwhile is unharmed.
pub struct Numbered {
    number: i64,
    engine: Arc<Engine>,
}

impl Numbered {
    /// Gives it a number that none had before.
    pub fn new(engine: Engine) -> Self {
        static NEXT: AtomicI64 = AtomicI64::new(1);
        let (number, engine) = (NEXT.fetch_add(1, Ordering::Relaxed), Arc::new(engine));
        let mut engines = ENGINES.write().unwrap_or_else(PoisonError::into_inner);
        engines.insert(number, Arc::clone(&engine));
        Self { number, engine }
    }

    /// The number.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Drop for Numbered {
    fn drop(&mut self) {
        let mut engines = ENGINES.write().unwrap_or_else(PoisonError::into_inner);
        let engine = engines.remove(&self.number);
        drop(engines);
        // Not under the lock: this may free what takes long.
        drop(engine);
    }
}

/// The engine of that number.
pub(crate) fn find(number: i64) -> Option<Arc<Engine>> {
    let engines = ENGINES.read().unwrap_or_else(PoisonError::into_inner);
    engines.get(&number).cloned()
}
