//! A table as a Parquet file: the least of the format that every reader understands.
//!
//! Input: rows, some at a time. Output: the bytes of a file, some at a time; each group of rows becomes a row group of its own, so that
//! what is held is one group, and some hundred bytes of each before.
//!
//! Columns are flat, values plain and not compressed, one page for each column of a group. Apache Parquet format 2.9: `parquet.thrift`
//! for the numbers of fields, Encodings.md for PLAIN and RLE, Thrift's compact protocol for the rest.

/// What a file begins and ends with.
const MAGIC: &[u8] = b"PAR1";
/// Who wrote it.
const WRITER: &str = concat!("Headroom ", env!("CARGO_PKG_VERSION"));
/// `Encoding`: values as they are, and levels in runs.
const PLAIN: i64 = 0;
const RLE: i64 = 3;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Number,
    Float,
    Text,
    /// Milliseconds since 1970, UTC.
    Time,
}

impl Kind {
    /// `Type` of parquet.thrift.
    const fn physical(self) -> i64 {
        match self {
            Self::Bool => 0,
            Self::Number | Self::Time => 2,
            Self::Float => 5,
            Self::Text => 6,
        }
    }
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether a cell may be empty.
    pub(crate) optional: bool,
}

/// What stands in a row under a column. One that does not fit its column is empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Empty,
    Bool(bool),
    Number(i64),
    Float(f64),
    Text(String),
    Time(jiff::Timestamp),
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Parquet {
    columns: &'static [Column],
    /// Bytes so far.
    length: usize,
    rows: usize,
    /// Each row group as the end of the file tells it.
    groups: Vec<Vec<u8>>,
}

impl Parquet {
    /// Begins a file: its first bytes.
    pub(crate) fn begin(columns: &'static [Column]) -> (Self, &'static [u8]) {
        let length = MAGIC.len();
        (
            Self {
                columns,
                length,
                rows: 0,
                groups: Vec::new(),
            },
            MAGIC,
        )
    }

    /// The bytes of some rows, each with as many cells as there are columns.
    pub(crate) fn group(&mut self, rows: &[Vec<Cell>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chunks = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            let cells = rows
                .iter()
                .map(|row| row.get(index).unwrap_or(&Cell::Empty));
            let values = page(column, cells);
            let (at, begun) = (self.length + bytes.len(), bytes.len());
            bytes.extend(page_header(rows.len(), values.len()));
            bytes.extend(values);
            let size = bytes.len() - begun;
            chunks.push(column_chunk(column, rows.len(), at, size));
        }
        let mut group = Struct::default();
        group.list(1, STRUCT, chunks);
        group.i64(2, bytes.len());
        group.i64(3, rows.len());
        self.groups.push(group.end());
        self.length += bytes.len();
        self.rows += rows.len();
        bytes
    }

    /// The last bytes, which tell where everything stands.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let mut root = Struct::default();
        root.text(4, "decisions");
        root.i32(5, number(self.columns.len()));
        let mut schema = vec![root.end()];
        schema.extend(self.columns.iter().map(schema_element));
        let mut file = Struct::default();
        file.i32(1, 1);
        file.list(2, STRUCT, schema);
        file.i64(3, self.rows);
        file.list(4, STRUCT, std::mem::take(&mut self.groups));
        file.text(6, WRITER);
        let mut bytes = file.end();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_le_bytes());
        bytes.extend(MAGIC);
        bytes
    }
}

/// The body of a data page: which cells are there, and their values.
fn page<'a>(column: &Column, cells: impl Iterator<Item = &'a Cell>) -> Vec<u8> {
    let (mut there, mut bools, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        let before = (values.len(), bools.len());
        match (column.kind, cell) {
            (Kind::Bool, Cell::Bool(it)) => bools.push(*it),
            (Kind::Number, Cell::Number(it)) => values.extend(it.to_le_bytes()),
            (Kind::Float, Cell::Float(it)) => values.extend(it.to_le_bytes()),
            (Kind::Time, Cell::Time(it)) => values.extend(it.as_millisecond().to_le_bytes()),
            (Kind::Text, Cell::Text(it)) => {
                values.extend(u32::try_from(it.len()).unwrap_or(u32::MAX).to_le_bytes());
                values.extend(it.as_bytes());
            }
            _ => {}
        }
        there.push(before != (values.len(), bools.len()));
    }
    values.extend(bits(&bools));
    if !column.optional {
        return values;
    }
    // One run of bits, in groups of eight.
    let levels = bits(&there);
    let mut run = Vec::new();
    varint(&mut run, ((levels.len() as u64) << 1) | 1);
    run.extend(levels);
    let length = u32::try_from(run.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes()[..], &run, &values].concat()
}

/// Eight to a byte, the lowest bit first.
fn bits(all: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| {
        let bits = eight.iter().enumerate();
        bits.fold(0, |byte, (place, bit)| byte | (u8::from(*bit) << place))
    };
    all.chunks(8).map(byte).collect()
}

fn page_header(rows: usize, size: usize) -> Vec<u8> {
    let mut page = Struct::default();
    page.i32(1, number(rows));
    page.i32(2, PLAIN);
    page.i32(3, RLE);
    page.i32(4, RLE);
    let mut header = Struct::default();
    // A data page; its size, which is that of what is compressed.
    header.i32(1, 0);
    header.i32(2, number(size));
    header.i32(3, number(size));
    header.part(5, page);
    header.end()
}

fn column_chunk(column: &Column, rows: usize, at: usize, size: usize) -> Vec<u8> {
    let mut data = Struct::default();
    data.i32(1, column.kind.physical());
    data.list(2, I32, [PLAIN, RLE].map(zigzag));
    data.list(3, BINARY, [text(column.name)]);
    data.i32(4, 0);
    data.i64(5, rows);
    data.i64(6, size);
    data.i64(7, size);
    data.i64(9, at);
    let mut chunk = Struct::default();
    chunk.i64(2, at);
    chunk.part(3, data);
    chunk.end()
}

fn schema_element(column: &Column) -> Vec<u8> {
    let mut element = Struct::default();
    element.i32(1, column.kind.physical());
    element.i32(3, i64::from(column.optional));
    element.text(4, column.name);
    // `ConvertedType` for old readers, `LogicalType` for new ones.
    let mut logical = Struct::default();
    match column.kind {
        Kind::Text => {
            element.i32(6, 0);
            logical.part(1, Struct::default());
        }
        Kind::Time => {
            element.i32(6, 9);
            let (mut time, mut milliseconds) = (Struct::default(), Struct::default());
            milliseconds.part(1, Struct::default());
            time.field(1, TRUE);
            time.part(2, milliseconds);
            logical.part(8, time);
        }
        Kind::Bool | Kind::Number | Kind::Float => return element.end(),
    }
    element.part(10, logical);
    element.end()
}

/// Types of Thrift's compact protocol.
const TRUE: u8 = 1;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;
/// Lists of as many or more tell their length in a number of its own.
const LONG_LIST: usize = 15;

/// A struct of Thrift's compact protocol; its fields come in ascending order, none further than 15 from the one before.
#[derive(Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    fn field(&mut self, id: u8, kind: u8) {
        self.bytes.push(((id - self.last) << 4) | kind);
        self.last = id;
    }

    fn i32(&mut self, id: u8, value: i64) {
        self.field(id, I32);
        self.bytes.extend(zigzag(value));
    }

    fn i64(&mut self, id: u8, value: usize) {
        self.field(id, I64);
        self.bytes.extend(zigzag(number(value)));
    }

    fn text(&mut self, id: u8, value: &str) {
        self.field(id, BINARY);
        self.bytes.extend(text(value));
    }

    fn part(&mut self, id: u8, part: Self) {
        self.field(id, STRUCT);
        self.bytes.extend(part.end());
    }

    fn list(&mut self, id: u8, kind: u8, items: impl IntoIterator<Item = Vec<u8>>) {
        self.field(id, LIST);
        let items: Vec<_> = items.into_iter().collect();
        match u8::try_from(items.len()) {
            Ok(short) if items.len() < LONG_LIST => self.bytes.push((short << 4) | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                varint(&mut self.bytes, items.len() as u64);
            }
        }
        self.bytes.extend(items.concat());
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(&mut bytes, value.len() as u64);
    bytes.extend(value.as_bytes());
    bytes
}

fn zigzag(value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(&mut bytes, ((value << 1) ^ (value >> 63)).cast_unsigned());
    bytes
}

/// A number in as few bytes as it needs (LEB128).
fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while let Some(byte) = u8::try_from(number & 0x7f).ok().filter(|_| number > 0x7f) {
        bytes.push(byte | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column {
            name: "n",
            kind: Kind::Number,
            optional: false,
        },
        Column {
            name: "on",
            kind: Kind::Bool,
            optional: true,
        },
    ];

    #[test]
    fn a_page_tells_what_is_there_and_then_the_values() {
        let numbers = [Cell::Number(7), Cell::Number(-1)];
        let bytes = page(&COLUMNS[0], numbers.iter());
        assert_eq!(
            bytes,
            [7_i64.to_le_bytes(), (-1_i64).to_le_bytes()].concat()
        );
        // A length, a run of one byte, there or not, true or not.
        let bools = [
            Cell::Bool(true),
            Cell::Empty,
            Cell::Bool(false),
            Cell::Bool(true),
            Cell::Number(1),
        ];
        assert_eq!(
            page(&COLUMNS[1], bools.iter()),
            [2, 0, 0, 0, 3, 0b01101, 0b101]
        );
    }

    #[test]
    fn the_end_tells_its_length_and_where_each_column_stands() {
        let (mut file, head) = Parquet::begin(COLUMNS);
        let mut bytes = head.to_vec();
        for _ in 0..3 {
            bytes.extend(file.group(&[vec![Cell::Number(3), Cell::Empty]]));
            assert_eq!(file.length, bytes.len());
        }
        let end = file.end();
        let (rest, magic) = end.split_at(end.len() - 4);
        let (footer, length) = rest.split_at(rest.len() - 4);
        assert_eq!(magic, MAGIC);
        assert_eq!(length, u32::try_from(footer.len()).unwrap().to_le_bytes());
    }

    #[test]
    fn numbers_are_as_long_as_they_must_be() {
        for (value, bytes) in [
            (0, &[0][..]),
            (-1, &[1]),
            (63, &[126]),
            (64, &[0x80, 1]),
            (
                i64::MIN,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            ),
        ] {
            assert_eq!(zigzag(value), bytes);
        }
    }
}
