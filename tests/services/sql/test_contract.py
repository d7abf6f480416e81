from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.contracts.service_contract import ServiceContract
from tests.contracts.world import World
from tests.services.sql.worlds import Place, TableWorld, Variant

VARIANTS = [Variant(key, versioned) for key in (sa.Text, sa.Integer, sa.Uuid) for versioned in (True, False)]
VARIANTS += [Variant(sa.Integer, versioned=False, marked=True)]


class TestSql(ServiceContract):
    @pytest.fixture(params=VARIANTS, ids=str)
    def world(self, request: pytest.FixtureRequest, place: Place) -> World:
        return TableWorld(place, request.param)
