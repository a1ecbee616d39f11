import pytest
@pytest.mark.django_db
def test_probe():
    from grantline.control.organizations.models import Organization
    Organization.objects.create(name="x"); assert Organization.objects.count()==1
