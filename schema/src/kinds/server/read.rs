//! Reads foreign servers.

use super::Server;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Text;
use crate::kinds::options::Options;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Foreign servers.
pub const READER: Reader = Reader {
    name: "foreign servers",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        let wrapper = row.ident()?;
        let (kind, version) = (row.opt_text()?.map(Text::new), row.opt_text()?.map(Text::new));
        let options = Options(row.options()?.into_iter().collect());
        let server = Server { wrapper, kind, version, options, owner };
        let id = ObjectId::global(Kind::Server, name);
        out.add_global(id, Object::Server(server), class::SERVER, oid, None)
    },
};
