//! In strict mode, an import that nothing uses is an error.

use crate::errors::compile_error;
use crate::stages::Compilation;

/// Reports what resolution found.
pub(crate) fn check_unused_imports(c: &mut Compilation<'_>) {
    let unused = std::mem::take(&mut c.unused_imports);
    c.errors.all_recoverable(unused.into_iter().map(|(span, message)| compile_error(span, message)));
}
