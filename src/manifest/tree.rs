//! One document as a tree of nodes, each with its place in the text.

#[cfg(test)]
mod tests;

use std::ops::Range;

use serde_json::Value;

use super::{json, value, yaml};

/// How deep collections may nest, so that nothing that walks a tree can run out of stack.
pub(super) const MAX_DEPTH: usize = 256;

/// A document that cannot be read, or whose value cannot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// The line in the document's text, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What was met; without the place.
    pub message: String,
}

impl ParseError {
    pub(super) fn new(position: Position, message: impl Into<String>) -> Self {
        Self {
            line: position.line,
            column: position.column,
            message: message.into(),
        }
    }
}

/// A place in the text of a document, relative to its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes, also the numbers and words of JSON.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A block after `|`.
    Literal,
    /// A block after `>`.
    Folded,
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub enum Data<'t> {
    /// A scalar with its text, which is empty for a value left out.
    Scalar {
        /// The text without quotes and escapes.
        text: &'t str,
        /// How it is written.
        style: Style,
    },
    /// A mapping; [`Node::as_mapping`] gives its entries.
    Mapping {
        /// Whether it is written in braces.
        flow: bool,
    },
    /// A sequence; [`Node::as_sequence`] gives its items.
    Sequence {
        /// Whether it is written in brackets.
        flow: bool,
    },
    /// An alias, with the node it stands for.
    Alias(Node<'t>),
}

/// Which language's rules give the scalars their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Yaml,
    Json,
}

/// The number of a node in its tree; parents have lower numbers than what they hold.
pub(super) type Id = usize;

#[derive(Debug)]
pub(super) enum Kind {
    Scalar { text: String, style: Style },
    Mapping { entries: Vec<(Id, Id)>, flow: bool },
    Sequence { items: Vec<Id>, flow: bool },
    Alias(Id),
}

#[derive(Debug)]
pub(super) struct Raw {
    pub(super) kind: Kind,
    /// From the tag, the anchor or the indicator to the end of the content. Block scalars end
    /// after the line breaks that are theirs, other block nodes where their last node does.
    pub(super) span: Range<usize>,
    /// Where the content begins, after tag and anchor, and for a block scalar after its header.
    pub(super) content: usize,
    pub(super) position: Position,
    pub(super) parent: Option<Id>,
    pub(super) anchor: Option<String>,
    pub(super) tag: Option<Tag>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// A tag of YAML's own, such as `str`.
    Core(String),
    /// `!` alone: not to be read as anything but text.
    NonSpecific,
    /// Any other, as written.
    Other(String),
}

/// One document, read but not yet valued: duplicate keys are still there.
#[derive(Debug)]
pub struct Tree {
    pub(super) nodes: Vec<Raw>,
    pub(super) root: Option<Id>,
    pub(super) format: Format,
    /// The spans of all comments, in order.
    pub(super) comments: Vec<Range<usize>>,
    pub(super) text_len: usize,
}

impl Tree {
    /// Reads one YAML document; a document marker and directives may stand before it.
    ///
    /// # Errors
    /// Text that is not YAML, more than one document, or nesting too deep.
    pub fn yaml(text: &str) -> Result<Self, ParseError> {
        yaml::parse(text)
    }

    /// Reads one JSON document.
    ///
    /// # Errors
    /// Text that is not JSON, or nesting too deep.
    pub fn json(text: &str) -> Result<Self, ParseError> {
        json::parse(text)
    }

    /// The outermost node; a document of comments has none.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        self.root.map(|id| self.node(id))
    }

    /// The value that kubectl reads: YAML 1.1 words and numbers, aliases and merge keys expanded.
    /// A document without a root is null.
    ///
    /// # Errors
    /// Duplicate keys, keys that are collections or null, numbers JSON does not have, a tag that
    /// does not fit, aliases that expand to far more than the text.
    pub fn to_value(&self) -> Result<Value, ParseError> {
        self.root.map_or(Ok(Value::Null), |id| value::of(self, id))
    }

    /// Where to point a reader for the value at an RFC 6901 pointer: at its key, or at itself in a
    /// list. Where the pointer goes on after the text ends, the nearest node above is given.
    ///
    /// `None` only if the document has no root, or the text is not a pointer.
    #[must_use]
    pub fn locate(&self, pointer: &str) -> Option<Position> {
        let mut node = self.root()?;
        let mut position = node.position();
        if pointer.is_empty() {
            return Some(position);
        }
        for token in pointer.strip_prefix('/')?.split('/') {
            let token = token.replace("~1", "/").replace("~0", "~");
            let next = if let Some(mut items) = node.as_sequence() {
                token
                    .parse()
                    .ok()
                    .and_then(|index| items.nth(index))
                    .map(|item| (item, item))
            } else {
                value::find(self, node.id, &token)
                    .map(|(key, value)| (self.node(key), self.node(value)))
            };
            let Some((at, value)) = next else { break };
            position = at.position();
            node = value;
        }
        Some(position)
    }

    pub(super) const fn node(&self, id: Id) -> Node<'_> {
        Node { tree: self, id }
    }

    pub(super) fn raw(&self, id: Id) -> &Raw {
        &self.nodes[id]
    }

    /// The node itself, or the one its alias stands for.
    pub(super) fn target(&self, id: Id) -> Id {
        match self.nodes[id].kind {
            Kind::Alias(target) => target, // an alias cannot have an anchor, so one step is all
            _ => id,
        }
    }
}

/// A node of a [`Tree`].
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    id: Id,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let raw = self.tree.raw(self.id);
        f.debug_struct("Node")
            .field("kind", &raw.kind)
            .field("span", &raw.span)
            .finish()
    }
}

impl<'t> Node<'t> {
    /// The bytes of the text that the node takes, with its tag and anchor.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.tree.raw(self.id).span.clone()
    }

    /// Where the node begins.
    #[must_use]
    pub fn position(self) -> Position {
        self.tree.raw(self.id).position
    }

    /// What the node is; an alias is given as such.
    #[must_use]
    pub fn data(self) -> Data<'t> {
        match &self.tree.raw(self.id).kind {
            Kind::Scalar { text, style } => Data::Scalar {
                text,
                style: *style,
            },
            Kind::Mapping { flow, .. } => Data::Mapping { flow: *flow },
            Kind::Sequence { flow, .. } => Data::Sequence { flow: *flow },
            Kind::Alias(target) => Data::Alias(self.tree.node(*target)),
        }
    }

    /// The keys and values of a mapping as written, duplicates and merge keys too.
    /// Follows an alias.
    #[must_use]
    pub fn as_mapping(self) -> Option<impl ExactSizeIterator<Item = (Self, Self)> + 't> {
        let tree = self.tree;
        match &tree.raw(tree.target(self.id)).kind {
            Kind::Mapping { entries, .. } => Some(
                entries
                    .iter()
                    .map(|&(key, value)| (tree.node(key), tree.node(value))),
            ),
            _ => None,
        }
    }

    /// The items of a sequence. Follows an alias.
    #[must_use]
    pub fn as_sequence(self) -> Option<impl ExactSizeIterator<Item = Self> + 't> {
        let tree = self.tree;
        match &tree.raw(tree.target(self.id)).kind {
            Kind::Sequence { items, .. } => Some(items.iter().map(|&item| tree.node(item))),
            _ => None,
        }
    }

    /// The text of a scalar whatever its type: `1` for both `1` and `"1"`. Follows an alias.
    #[must_use]
    pub fn as_str(self) -> Option<&'t str> {
        match &self.tree.raw(self.tree.target(self.id)).kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value of an entry of a mapping, by what its key reads as; of duplicates the first,
    /// and through merge keys if it has none of its own. Follows an alias.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        value::find(self.tree, self.id, key).map(|(_, value)| self.tree.node(value))
    }

    /// The value of the node alone, as [`Tree::to_value`] reads it.
    ///
    /// # Errors
    /// As [`Tree::to_value`].
    pub fn value(self) -> Result<Value, ParseError> {
        value::of(self.tree, self.id)
    }
}
