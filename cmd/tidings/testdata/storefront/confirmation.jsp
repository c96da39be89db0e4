<%@ page contentType="text/html; charset=UTF-8" pageEncoding="UTF-8" %>
<%@ taglib prefix="order" tagdir="/WEB-INF/tags/responsive/order" %>
<order:orderNews offer="${orderNews}" title="News" consent="${consent}" all="All messengers"/>
