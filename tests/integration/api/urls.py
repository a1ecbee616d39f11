from django.urls import path
from grantline.api.operations import urlpatterns as operations
from grantline.api.urls import api
urlpatterns = [path("api/v1/", api.urls), *operations]
