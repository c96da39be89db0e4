<%@ tag body-content="empty" trimDirectiveWhitespaces="true" pageEncoding="UTF-8" %>
<%@ attribute name="offer" required="true" type="java.util.Map" description="The answer of POST /v1/opt-ins; empty: nothing is shown." %>
<%@ attribute name="title" required="true" type="java.lang.String" %>
<%@ attribute name="consent" required="true" type="java.lang.String" description="What the customer agrees to; the same text as was sent to the gateway." %>
<%@ attribute name="all" required="true" type="java.lang.String" description="What the link to all messengers says." %>
<%@ taglib prefix="c" uri="http://java.sun.com/jsp/jstl/core" %>
<%@ taglib prefix="fn" uri="http://java.sun.com/jsp/jstl/functions" %>
<%-- News of an order in a messenger: plain links, no script. Put it into
     WEB-INF/tags/responsive/order/ of the storefront and use it on the page that
     confirms an order. --%>
<c:if test="${not empty offer}">
  <section class="order-news" aria-labelledby="order-news-title">
    <h2 id="order-news-title"><c:out value="${title}"/></h2>
    <p><c:out value="${consent}"/></p>
    <ul>
      <c:forEach items="${offer.links}" var="link">
        <li>
          <c:choose>
            <c:when test="${not empty link.url}">
              <a href="${fn:escapeXml(link.url)}" target="_blank" rel="noopener noreferrer"><c:out value="${fn:toUpperCase(fn:substring(link.channel, 0, 1))}"/><c:out value="${fn:substring(link.channel, 1, -1)}"/></a>
            </c:when>
            <c:otherwise>
              <c:out value="${fn:toUpperCase(fn:substring(link.channel, 0, 1))}"/><c:out value="${fn:substring(link.channel, 1, -1)}"/>: <c:out value="${link.how}"/>
            </c:otherwise>
          </c:choose>
        </li>
      </c:forEach>
      <li><a href="${fn:escapeXml(offer.page)}" target="_blank" rel="noopener noreferrer"><c:out value="${all}"/></a></li>
    </ul>
  </section>
</c:if>
