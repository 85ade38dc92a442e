//! Packs what is served as it is kept: the page (`dist`) and the document of the API, each compressed once, here, instead of at
//! each request. Writes a table of names, compressed bytes and tags.

use std::fmt::Write as _;
use std::fs;
use std::io::{Error, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Bytes of the hash that make a tag.
const TAG_BYTES: usize = 16;

fn main() -> Result<(), Error> {
    let root = PathBuf::from(
        std::env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| Error::other("no cargo"))?,
    );
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or_else(|| Error::other("no cargo"))?);
    println!("cargo::rerun-if-changed=dist");
    println!("cargo::rerun-if-changed=openapi.json");
    let mut files = Vec::new();
    find(&root.join("dist"), &mut files)?;
    files.push(root.join("openapi.json"));
    files.sort();
    let mut table = String::from("static PACKED: &[Packed] = &[\n");
    for (index, file) in files.iter().enumerate() {
        let plain = fs::read(file)?;
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&plain)?;
        let target = out.join(format!("{index}.gz"));
        fs::write(&target, packer.finish()?)?;
        let tag: String =
            (Sha256::digest(&plain).iter().take(TAG_BYTES)).fold(String::new(), |mut tag, byte| {
                // Writing to a string cannot fail.
                write!(tag, "{byte:02x}").ok();
                tag
            });
        let name = file.strip_prefix(&root).map_err(Error::other)?;
        writeln!(
            table,
            "    Packed {{ name: {:?}, gzip: include_bytes!({:?}), tag: {tag:?} }},",
            name.display().to_string(),
            target.display().to_string(),
        )
        .map_err(Error::other)?;
    }
    table.push_str("];\n");
    fs::write(out.join("packed.rs"), table)
}

/// All files below a folder.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
