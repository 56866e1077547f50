//! What the modules of a crate import, read from its source.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Meta, UseTree};

/// A module that uses one in another file, at the first place where it does.
pub(crate) struct Import {
    /// The number of the importing module.
    pub(crate) from: usize,
    /// The number of the imported one.
    pub(crate) to: usize,
    line: usize,
    path: String,
}

/// All modules of a crate.
pub(crate) struct Sources {
    folder: PathBuf,
    pub(crate) modules: Vec<Module>,
}

/// A module, in a file of its own or inside another's.
#[derive(Default)]
pub(crate) struct Module {
    /// Its file, below the folder of the sources.
    pub(crate) file: String,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// What else is defined in it.
    items: BTreeSet<String>,
    /// The names that a `use` brings in, and what they are names of.
    names: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    mentions: Vec<Mention>,
}

/// A path somewhere in a module.
struct Mention {
    path: Vec<String>,
    line: usize,
}

/// What a name leads to.
#[derive(Clone, Copy)]
enum Target {
    Module(usize),
    /// Something defined in this module.
    Item(usize),
}

impl Sources {
    /// Reads a crate from its root, which is `root` in `folder`.
    pub(crate) fn read(folder: &Path, root: &str) -> Self {
        let modules = vec![Module { file: root.to_owned(), ..Module::default() }];
        let mut sources = Self { folder: folder.to_owned(), modules };
        sources.read_file(0, Path::new(root).parent().unwrap());
        sources
    }

    /// Reads the file of a module; its submodules lie in `folder`.
    fn read_file(&mut self, module: usize, folder: &Path) {
        let file = self.folder.join(&self.modules[module].file);
        let source = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read_items(module, &parsed.items, folder);
    }

    fn read_items(&mut self, module: usize, items: &[Item], folder: &Path) {
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            let name = match item {
                Item::Mod(item) => {
                    self.read_module(module, item, folder);
                    continue;
                }
                Item::Const(item) => Some(&item.ident),
                Item::Enum(item) => Some(&item.ident),
                Item::Fn(item) => Some(&item.sig.ident),
                Item::Macro(item) => item.ident.as_ref(),
                Item::Static(item) => Some(&item.ident),
                Item::Struct(item) => Some(&item.ident),
                Item::Trait(item) => Some(&item.ident),
                Item::Type(item) => Some(&item.ident),
                Item::Union(item) => Some(&item.ident),
                _ => None,
            };
            self.modules[module].items.extend(name.map(ToString::to_string));
            Reader { module: &mut self.modules[module] }.visit_item(item);
        }
    }

    fn read_module(&mut self, parent: usize, item: &syn::ItemMod, folder: &Path) {
        let (name, inner) = (item.ident.to_string(), self.modules.len());
        let file = if item.content.is_some() {
            PathBuf::from(&self.modules[parent].file)
        } else {
            let mut places =
                [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")].into_iter();
            places.find(|file| self.folder.join(file).is_file()).unwrap_or_else(|| panic!("where is {name}?"))
        };
        let file = file.to_str().unwrap().to_owned();
        self.modules.push(Module { file, parent: Some(parent), ..Module::default() });
        self.modules[parent].children.insert(name.clone(), inner);
        match &item.content {
            Some((_, items)) => self.read_items(inner, items, &folder.join(name)),
            None => self.read_file(inner, &folder.join(name)),
        }
    }

    /// Every module that uses another in another file, once.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut found: BTreeMap<(usize, usize), Import> = BTreeMap::new();
        for (from, module) in self.modules.iter().enumerate() {
            for Mention { path, line } in &module.mentions {
                let Some(Target::Module(to) | Target::Item(to)) = self.follow(from, path, &mut Vec::new())
                else {
                    continue;
                };
                if module.file != self.modules[to].file {
                    let import = Import { from, to, line: *line, path: path.join("::") };
                    let first = found.entry((from, to)).or_insert(import);
                    if *line < first.line {
                        (first.line, first.path) = (*line, path.join("::"));
                    }
                }
            }
        }
        found.into_values().collect()
    }

    pub(crate) fn describe(&self, import: &Import) -> String {
        let [from, to] = [import.from, import.to].map(|end| &self.modules[end].file);
        format!("{from}:{} uses {to} ({})", import.line, import.path)
    }

    /// The submodule of a module that another module is or lies in.
    pub(crate) fn submodule_with(&self, module: usize, mut inner: usize) -> Option<usize> {
        loop {
            let above = self.modules[inner].parent?;
            if above == module {
                return Some(inner);
            }
            inner = above;
        }
    }

    /// What a path leads to, seen from a module; `None` if that is no part of this crate.
    fn follow(
        &self,
        module: usize,
        path: &[String],
        on_the_way: &mut Vec<(usize, String)>,
    ) -> Option<Target> {
        let mut at = match path.first()?.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(module),
            "super" => Target::Module(self.modules[module].parent?),
            name => self.find(module, name, on_the_way)?,
        };
        for name in &path[1..] {
            let Target::Module(inner) = at else { break };
            at = match name.as_str() {
                "super" => Target::Module(self.modules[inner].parent?),
                name => self.find(inner, name, on_the_way).unwrap_or(Target::Item(inner)),
            };
        }
        Some(at)
    }

    /// What a name means in a module.
    fn find(&self, module: usize, name: &str, on_the_way: &mut Vec<(usize, String)>) -> Option<Target> {
        let here = &self.modules[module];
        if let Some(child) = here.children.get(name) {
            return Some(Target::Module(*child));
        }
        if here.items.contains(name) {
            return Some(Target::Item(module));
        }
        let step = (module, name.to_owned());
        if on_the_way.contains(&step) {
            return None;
        }
        on_the_way.push(step);
        let found = match here.names.get(name) {
            Some(path) => self.follow(module, path, on_the_way),
            None => here.globs.iter().find_map(|glob| {
                let Some(Target::Module(inner)) = self.follow(module, glob, on_the_way) else { return None };
                self.find(inner, name, on_the_way)
            }),
        };
        on_the_way.pop();
        found
    }
}

/// Collects what a module mentions.
struct Reader<'a> {
    module: &'a mut Module,
}

impl Reader<'_> {
    fn mention(&mut self, path: Vec<String>, span: Span) {
        self.module.mentions.push(Mention { path, line: span.start().line });
    }

    fn use_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(tree) => self.use_tree(&tree.tree, &with(&tree.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, before);
                }
            }
            UseTree::Glob(glob) => {
                self.mention(before.to_vec(), glob.span());
                self.module.globs.push(before.to_vec());
            }
            UseTree::Name(name) => self.bring_in(&name.ident, with(&name.ident), &name.ident),
            UseTree::Rename(name) => self.bring_in(&name.rename, with(&name.ident), &name.ident),
        }
    }

    fn bring_in(&mut self, name: &syn::Ident, mut path: Vec<String>, written: &syn::Ident) {
        let mut name = name.to_string();
        if written == "self" {
            path.pop();
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        }
        self.mention(path.clone(), written.span());
        // The names of macros are passed on by `use name`, which leads nowhere else.
        if path != [name.clone()] {
            self.module.names.entry(name).or_insert(path);
        }
    }

    /// The paths among the arguments of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is_colon =
            |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(sign)) if sign.as_char() == ':');
        let is_dot =
            |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(sign)) if sign.as_char() == '.');
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) if at == 0 || !is_dot(at - 1) => {
                    let mut path = vec![first.to_string()];
                    while is_colon(at + 1) && is_colon(at + 2) {
                        let Some(TokenTree::Ident(next)) = tokens.get(at + 3) else { break };
                        path.push(next.to_string());
                        at += 3;
                    }
                    let call = matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                    // A single small word is a variable or a field, unless it is called.
                    if path.len() > 1 || call || path[0].starts_with(char::is_uppercase) {
                        self.mention(path, first.span());
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.use_tree(&item.tree, &[]);
    }

    /// Who may see something is no import.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.mention(segments, path.span());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether something is compiled for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.starts_with("all (test")
        }
        _ => false,
    })
}
