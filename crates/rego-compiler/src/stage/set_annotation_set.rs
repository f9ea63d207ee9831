//! The METADATA of all modules is collected; two blocks for one package or document are an error.

use crate::annotations::AnnotationSet;
use crate::stages::Compilation;

/// Collects the blocks.
pub(crate) fn set_annotation_set(c: &mut Compilation<'_>) {
    let (set, errors) = AnnotationSet::build(&c.modules, &|span| c.place(span));
    c.annotations = set;
    c.errors.all_fatal(errors);
}
